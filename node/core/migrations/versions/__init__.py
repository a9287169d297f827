"""The revisions, one file each; the newest is the tables of today."""
