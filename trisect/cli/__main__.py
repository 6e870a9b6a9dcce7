"""`python -m trisect.cli` is the command `trisect`."""

from trisect.cli.main import main

if __name__ == "__main__":
    main()
