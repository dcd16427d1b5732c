"""Bytes that rows refer to: images, audio, documents.

find.py     finds them in what is logged and puts references in their place
keeper.py   keeps them until a row that refers to them is sent
upload.py   hands them to the collector, each only once
objects.py  what an application may log, and what it gets back
"""
