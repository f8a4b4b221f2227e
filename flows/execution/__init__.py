"""One stage as a process and as a task of Prefect."""
