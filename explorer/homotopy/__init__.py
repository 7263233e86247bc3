"""Floating-point continuation for critical points, with solutions certified in ball arithmetic; numpy complex128."""
