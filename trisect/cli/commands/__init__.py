"""Words and options of the commands. Acts are imported by the command that runs, so that help is quick."""
