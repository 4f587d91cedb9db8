"""The program that trains, as it is copied into the folder of a run; nothing here is imported."""
