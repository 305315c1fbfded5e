"""Lo que un proceso cuenta de sí mismo: su registro, con el de uvicorn, y sus métricas, con las de otros."""
