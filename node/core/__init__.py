"""What every room stands on: configuration, clock, keys, database, writer, log, errors, money."""
