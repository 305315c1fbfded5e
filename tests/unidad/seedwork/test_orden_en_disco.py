"""El orden externo: todo vuelve ordenado, llegue como llegue."""

from hypothesis import given
from hypothesis import strategies as st

from alpespartners.seedwork.sql.orden_en_disco import OrdenEnDisco


@given(st.lists(st.tuples(st.binary(max_size=3), st.integers(0, 2), st.binary(max_size=3))))
def test_por_clave_y_lado_y_a_igualdad_por_llegada(piezas: list[tuple[bytes, int, bytes]]) -> None:
    orden = OrdenEnDisco()
    for clave, lado, valor in piezas:
        orden.anadir(lado, [(clave, valor)])
    assert list(orden.en_orden()) == sorted(piezas, key=lambda pieza: pieza[:2])
    for clave, _, _ in piezas:
        assert orden.buscar(clave) == next(valor for suya, _, valor in orden.en_orden() if suya == clave)
    assert orden.buscar(b"otra clave") is None
    orden.cerrar()
