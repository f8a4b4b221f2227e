"""What stages share. Nothing here imports a stage, DVC or Prefect."""
