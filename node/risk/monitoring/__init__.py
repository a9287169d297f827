"""What watches risk, wired together, and its faces: words, views, routes, commands."""
