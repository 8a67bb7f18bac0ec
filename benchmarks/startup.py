"""How long a user waits before the command line does anything.

Compared in one run, by the median of interleaved starts: an empty Python, `import sympy` (the
least that a computer algebra system costs), `ncbounds --help`, and a certified evaluation, process
start and output included. Targets: 0.25 s for help, 0.7 s for the evaluation.

Run as ``python benchmarks/startup.py [ROUNDS]``.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

NCBOUNDS = shutil.which("ncbounds", path=str(Path(sys.executable).parent))
PROGRAM = [NCBOUNDS] if NCBOUNDS else [sys.executable, "-m", "ncbounds"]
EVALUATE = ["evaluate", "gnc:theorem-3.9", "-p", "d=512", "-p", "K=1000000"]
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    'python -c "import sympy"': [sys.executable, "-c", "import sympy"],
    "ncbounds --help": [*PROGRAM, "--help"],
    f"ncbounds {' '.join(EVALUATE)}": [*PROGRAM, *EVALUATE],
}


def seconds(command: list[str]) -> float:
    """Wall time of one process."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main(rounds: int) -> None:
    """Time all commands in turn, `rounds` times after one to warm the file cache."""
    for command in COMMANDS.values():
        seconds(command)
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    empty, sympy = (median(times[name]) for name in list(COMMANDS)[:2])
    print(f"{'median s':>8}  {'least s':>8}  {'/ pass':>6}  {'/ sympy':>7}  of {rounds} starts")
    for name, taken in times.items():
        middle = median(taken)
        ratios = f"{middle / empty:6.1f}  {middle / sympy:7.2f}"
        print(f"{middle:8.3f}  {min(taken):8.3f}  {ratios}  {name}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
