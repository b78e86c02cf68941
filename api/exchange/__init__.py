"""Exchange formats: what comes in and goes out as files and messages."""
