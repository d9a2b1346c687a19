"""Translation of labelled sentences: markers around entities, and the stages that translate a side."""
