"""The program that trains, as it is copied into the folder of a run.

The package itself imports what the program and the serving of models have in common.
"""
