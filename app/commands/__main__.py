"""`python -m app.commands` is the `onetrail` command."""

from app.commands import main

if __name__ == "__main__":
    main(prog_name="onetrail")
