"""The canonical space of a network function: exact Fourier coefficients on the unit cube, disparity matrices, aliasing."""
