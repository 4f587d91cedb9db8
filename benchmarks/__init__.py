"""How fast the package is, each number beside a floor measured in the same run."""
