"""All customers at a glance: what each of them owes, how it pays and is graded, a row each.

Derived, all of it: rows are brought up from the records and ratings of those whom something has
changed for, and of everybody when the business day moves on. Nothing else reads them but the faces.
"""
