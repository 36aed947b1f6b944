"""Room 1 of the walk: the doors. Each parses, then calls one service function; none decides anything else."""
