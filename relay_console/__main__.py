"""The entry of ``relay-console`` and of ``python -m relay_console``."""

from relay_console.cli.main import main

if __name__ == "__main__":
    main()
