"""The stages of the pipeline, one module per kind of stage; dvc.yaml says how they are joined."""
