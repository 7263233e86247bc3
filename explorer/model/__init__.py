"""From a `Problem` to its mathematics: the loss, its derivatives, its polynomial, its symmetries, its picture in LaTeX."""
