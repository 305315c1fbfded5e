"""El error de arranque es la frase con la que termina el proceso."""

from alpespartners.seedwork.arranque import ErrorDeArranque


def test_el_interprete_escribe_la_frase_y_termina_con_codigo_1() -> None:
    error = ErrorDeArranque("El puerto 8000 está ocupado.")
    assert isinstance(error, SystemExit)
    assert error.code == error.frase == "El puerto 8000 está ocupado."
