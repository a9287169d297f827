"""信用评级: scales as data, the grade of an assessed customer, its validity, and runs over all."""
