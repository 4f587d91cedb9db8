"""Work that outlives a call: it goes on in the background, and after a kill where it was."""
