"""Label consistency: does the picture show its objects where the labels say?"""
