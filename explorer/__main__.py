"""``python -m explorer`` is the command ``explorer``."""

from explorer.app.main import main

if __name__ == "__main__":
    main()
