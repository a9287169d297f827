"""Faces of what losses are expected and met: provisions, dunning, the register, stress."""
