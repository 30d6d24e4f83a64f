"""What is right and what is wrong with settings, machine and store (`doctor`)."""
