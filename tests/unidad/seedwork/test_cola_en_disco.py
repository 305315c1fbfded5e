"""La cola en disco: lo guardado sale en orden, una sola vez, y sobrevive a quien lo guardó."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from alpespartners.seedwork.cola_en_disco import ColaEnDisco

_MEGA = 1024 * 1024
_MORIR = """
import os, sys
from pathlib import Path
from alpespartners.seedwork.cola_en_disco import ColaEnDisco
cola = ColaEnDisco(Path(sys.argv[1]), 1024 * 1024)
cola.agregar([b"uno", b"dos"])
cola.primeros(1)
cola.quitar(1)
cola.agregar([b"tres"])
os._exit(9)
"""


def _todos(cola: ColaEnDisco) -> list[bytes]:
    sacados: list[bytes] = []
    while primeros := cola.primeros(3):
        sacados += primeros
        cola.quitar(len(primeros))
    return sacados


def _archivos(carpeta: Path) -> list[Path]:
    return sorted(carpeta.glob("*.cola"))


def _muere_con_clics(carpeta: Path) -> Path:
    """Un proceso que guarda tres, quita uno y muere sin cerrar; devuelve su archivo."""
    proceso = subprocess.run([sys.executable, "-c", _MORIR, str(carpeta)], check=False)
    assert proceso.returncode == 9
    return _archivos(carpeta)[-1]


@pytest.fixture
def cola(tmp_path: Path) -> ColaEnDisco:
    return ColaEnDisco(tmp_path / "cola", _MEGA)


def test_lo_guardado_sale_en_el_orden_en_que_entro_y_una_sola_vez(cola: ColaEnDisco) -> None:
    registros = [f"registro {numero}".encode() for numero in range(10)]
    assert [cola.agregar(registros[:4]), cola.agregar(registros[4:])] == [4, 6]
    assert _todos(cola) == registros
    assert _todos(cola) == []


def test_lo_que_no_se_quita_vuelve_a_salir(cola: ColaEnDisco) -> None:
    cola.agregar([b"uno", b"dos"])
    assert cola.primeros(9) == [b"uno", b"dos"]
    assert cola.primeros(9) == [b"uno", b"dos"]
    cola.quitar(1)
    assert cola.primeros(9) == [b"dos"]


def test_lo_que_llega_entre_leer_y_quitar_no_se_quita(cola: ColaEnDisco) -> None:
    cola.agregar([b"uno"])
    cola.primeros(9)
    cola.agregar([b"dos"])
    cola.quitar(1)
    assert _todos(cola) == [b"dos"]


def test_nada_se_crea_hasta_que_hace_falta_y_cerrada_sin_nada_no_queda_ningun_archivo(
    tmp_path: Path,
) -> None:
    cola = ColaEnDisco(tmp_path / "cola", _MEGA)
    assert cola.primeros(9) == []
    assert cola.adoptar() == []
    assert cola.cuenta() == (0, 0)
    assert not (tmp_path / "cola").exists()
    cola.agregar([b"uno"])
    _todos(cola)
    cola.cerrar()
    assert _archivos(tmp_path / "cola") == []


def test_lo_que_queda_al_cerrar_lo_toma_el_siguiente(tmp_path: Path) -> None:
    primera, segunda = ColaEnDisco(tmp_path, _MEGA), ColaEnDisco(tmp_path, _MEGA)
    primera.agregar([b"uno", b"dos"])
    primera.cerrar()
    segunda.adoptar()
    assert _todos(segunda) == [b"uno", b"dos"]
    assert _archivos(tmp_path) == []


def test_lo_que_deja_un_proceso_que_muere_de_golpe_lo_toma_otro_sin_lo_que_ya_se_habia_quitado(
    tmp_path: Path,
) -> None:
    _muere_con_clics(tmp_path)
    cola = ColaEnDisco(tmp_path, _MEGA)
    assert cola.cuenta() == (2, 0)
    assert cola.adoptar() == []
    assert _todos(cola) == [b"dos", b"tres"]
    assert cola.cuenta() == (0, 0)


def test_lo_que_se_guarda_mientras_se_lee_lo_de_otro_no_se_quita_en_su_lugar(tmp_path: Path) -> None:
    cola = ColaEnDisco(tmp_path, _MEGA)
    cola.agregar([b"cero"])
    _todos(cola)
    _muere_con_clics(tmp_path)
    cola.adoptar()
    assert cola.primeros(9) == [b"dos", b"tres"]
    cola.agregar([b"cuatro"])
    cola.quitar(2)
    assert _todos(cola) == [b"cuatro"]


def test_lo_de_un_proceso_que_vive_no_lo_toma_nadie(tmp_path: Path) -> None:
    suya, ajena = ColaEnDisco(tmp_path, _MEGA), ColaEnDisco(tmp_path, _MEGA)
    suya.agregar([b"uno"])
    ajena.adoptar()
    assert ajena.primeros(9) == []
    assert ajena.cuenta() == suya.cuenta() == (1, 0)


def test_de_un_archivo_a_medio_escribir_se_toma_lo_que_esta_entero_y_queda_copia(tmp_path: Path) -> None:
    archivo = _muere_con_clics(tmp_path)
    with archivo.open("ab") as final:
        final.write(bytes(100))
    cola = ColaEnDisco(tmp_path, _MEGA)
    (copia,) = cola.adoptar()
    assert copia.stat().st_size == archivo.stat().st_size
    assert _todos(cola) == [b"dos", b"tres"]


def test_lo_que_cambia_en_el_disco_se_aparta_y_no_tapa_a_lo_demas(tmp_path: Path) -> None:
    archivo = _muere_con_clics(tmp_path)
    cola = ColaEnDisco(tmp_path, _MEGA)
    cola.adoptar()
    cola.agregar([b"cuatro"])
    archivo.write_bytes(archivo.read_bytes().replace(b"dos", b"DOS"))
    assert cola.primeros(9) == []
    apartado = cola.apartar()
    assert apartado is not None
    assert b"DOS" in apartado.read_bytes()
    assert cola.apartar() is None
    assert _todos(cola) == [b"cuatro"]


def test_un_archivo_vacio_o_que_no_es_de_la_cola_no_impide_tomar_los_demas(tmp_path: Path) -> None:
    _muere_con_clics(tmp_path)
    (tmp_path / "000-vacio.cola").touch()
    (tmp_path / "000-ajeno.cola").write_bytes(b"otra cosa que no es un segmento")
    cola = ColaEnDisco(tmp_path, _MEGA)
    assert [copia.name for copia in cola.adoptar()] == ["000-ajeno.ilegible"]
    assert _todos(cola) == [b"dos", b"tres"]


def test_guarda_los_que_caben_y_con_sitio_otra_vez_los_demas(tmp_path: Path) -> None:
    cola = ColaEnDisco(tmp_path, 10_000)
    registros = [bytes([numero]) * 1_000 for numero in range(1, 13)]
    guardados = cola.agregar(registros)
    assert 7 <= guardados <= 10
    assert cola.agregar(registros[guardados:]) < 12 - guardados
    assert sum(archivo.stat().st_size for archivo in _archivos(tmp_path)) <= 10_000 + 200
    _todos(cola)
    assert cola.agregar(registros[guardados:]) == 12 - guardados


def test_el_limite_es_de_todos_los_procesos_de_la_carpeta(tmp_path: Path) -> None:
    una, otra = ColaEnDisco(tmp_path, 10_000), ColaEnDisco(tmp_path, 10_000)
    assert una.agregar([b"x" * 9_000]) == 1
    assert otra.agregar([b"y" * 2_000]) == 0


def test_lo_ya_enviado_deja_sitio_aunque_nunca_se_vacie_del_todo(tmp_path: Path) -> None:
    cola = ColaEnDisco(tmp_path, 100_000)
    for numero in range(1, 1_000):
        assert cola.agregar([bytes([numero % 250 + 1]) * 1_000]) == 1
        if numero > 3:
            assert len(cola.primeros(1)) == 1
            cola.quitar(1)
    assert cola.cuenta() == (3, 0)


def test_si_el_disco_no_guarda_se_dice_y_no_queda_nada_a_medias(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cola = ColaEnDisco(tmp_path, _MEGA)
    cola.agregar([b"uno"])

    def sin_sitio(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no queda sitio")

    with monkeypatch.context() as cambio:
        cambio.setattr(os, "fsync", sin_sitio)
        with pytest.raises(OSError, match="no queda sitio"):
            cola.agregar([b"dos", b"tres"])
    cola.cerrar()
    siguiente = ColaEnDisco(tmp_path, _MEGA)
    assert siguiente.adoptar() == []
    assert _todos(siguiente) == [b"uno"]


def test_lo_perdido_se_cuenta_para_siempre_y_entre_todos(tmp_path: Path) -> None:
    una, otra = ColaEnDisco(tmp_path, _MEGA), ColaEnDisco(tmp_path, _MEGA)
    una.perder(2)
    otra.perder(40)
    assert una.cuenta() == otra.cuenta() == ColaEnDisco(tmp_path, _MEGA).cuenta() == (0, 42)


def test_lo_perdido_que_no_se_puede_apuntar_se_apunta_despues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cola = ColaEnDisco(tmp_path, _MEGA)

    def roto(*_: object) -> int:
        raise OSError(errno.EIO, "no responde")

    with monkeypatch.context() as cambio:
        cambio.setattr(os, "pwrite", roto)
        with pytest.raises(OSError, match="no responde"):
            cola.perder(2)
    assert cola.cuenta() == (0, 2)
    cola.perder(1)
    assert ColaEnDisco(tmp_path, _MEGA).cuenta() == (0, 3)
