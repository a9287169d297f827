"""The access log (查看记录) as a report: who looked at whom, and what a subject may be handed."""
