"""Objections (异议) and complaints (投诉): one register, its states and its clocks."""
