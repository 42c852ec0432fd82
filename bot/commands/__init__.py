"""The commands of the console script, one module each: ``execute(arguments, rest)`` gives the exit status."""
