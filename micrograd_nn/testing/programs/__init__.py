"""Random graphs as programs: lists of steps, the operations they draw from, their derivatives."""
