"""The backbone that the stage of that name leaves."""
