"""The administration of what core keeps: policies, and who decides on them (管理制度)."""
