"""Who there is: accounts of users and bots, their names, passwords and sessions."""
