"""Who there is, and how one is known: accounts, devices, groups, passwords, tickets, names."""
