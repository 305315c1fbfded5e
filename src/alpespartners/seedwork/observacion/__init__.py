"""Lo que un proceso cuenta de sí mismo: su registro, también el de uvicorn, en español."""
