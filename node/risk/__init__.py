"""Risk control (风险控制): exposure, limits, order checks, signals, watch list, actions."""
