"""Folders of images or source tensors through a trained model."""
