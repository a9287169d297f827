"""Procedures (流程规范) that people read and confirm, and who has not yet (培训登记)."""
