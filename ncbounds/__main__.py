"""`python -m ncbounds` is the command line."""

from ncbounds.cli import main

if __name__ == "__main__":
    main()
