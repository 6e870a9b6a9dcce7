"""Generate `trisect/wire/v1` from `proto/`, or check that the committed files are what it generates.

The generator lives in a virtual environment of its own (its protobuf is another one than the runtime's);
`PROTOC_BIN` names that environment's `bin` folder.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("trisect/wire/v1")
INIT = '"""The wire contract, generated from `proto/`; never edited by hand (`make proto`)."""\n'


def generate(into: Path) -> Path:
    """Generate all stubs below `into`; gives the folder of the package."""
    binaries = Path(os.environ["PROTOC_BIN"]).resolve()
    protos = sorted(str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto").rglob("*.proto"))
    subprocess.run(
        [
            binaries / "python", "-m", "grpc_tools.protoc", "-I", str(ROOT / "proto"),
            f"--python_out={into}", f"--grpc_python_out={into}",
            f"--mypy_out=quiet:{into}", f"--mypy_grpc_out=quiet,only_async:{into}", *protos,
        ],
        check=True,
        env=os.environ | {"PATH": f"{binaries}:{os.environ['PATH']}"},
    )  # fmt: skip
    package = into / PACKAGE
    (package / "__init__.py").write_text(INIT)
    return package


def main() -> int:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        made = generate(Path(scratch))
        names = sorted(path.name for path in made.iterdir())
        if options.check:
            present = sorted(path.name for path in options.target.iterdir() if path.suffix in {".py", ".pyi"})
            _, differing, missing = filecmp.cmpfiles(made, options.target, names, shallow=False)
            wrong = sorted({*differing, *missing, *(set(present) - set(names))})
            if wrong:
                print("not what proto/ generates; run `make proto`:", *wrong, file=sys.stderr)
            return bool(wrong)
        shutil.rmtree(options.target, ignore_errors=True)
        shutil.copytree(made, options.target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
