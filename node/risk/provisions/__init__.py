"""Provision for expected losses (减值准备): matrix, staging, specific allowances, movements."""
