"""El identificador de un clic: se prueba a sí mismo, y nada que no lo sea se da por legítimo."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID

import uuid_utils
from hypothesis import assume, given
from hypothesis import strategies as st

from alpespartners.modulos.enlaces.dominio.clic import (
    LONGITUD_DE_CLIC,
    Ajeno,
    Falsificado,
    Legitimo,
    acuñar,
    comprobar,
)
from alpespartners.modulos.enlaces.dominio.secreto import Secreto

_ALFABETO = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

enlaces = st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z")
secretos = st.binary(min_size=16, max_size=40).map(Secreto)
uuids = st.builds(
    lambda milisegundos, azar: UUID(int=milisegundos << 80 | 7 << 76 | 2 << 62 | azar),
    st.integers(0, 4_102_444_800_000),
    st.integers(0, 2**62 - 1),
)


@given(enlaces, secretos, uuids)
def test_el_acuñado_es_legitimo_y_dice_de_que_enlace_es_y_cuando_fue(
    enlace_id: str, secreto: Secreto, uuid: UUID
) -> None:
    clic_id = acuñar(enlace_id, secreto, uuid)
    assert len(clic_id) == LONGITUD_DE_CLIC
    assert set(clic_id) <= set(_ALFABETO)
    leido = comprobar(clic_id, [secreto])
    assert isinstance(leido, Legitimo)
    assert leido.uuid == uuid
    assert leido.es_de(enlace_id)
    assert leido.acuñado_en == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=uuid.int >> 80)


def test_el_instante_de_un_uuid_de_verdad_es_el_de_ahora() -> None:
    antes = datetime.now(UTC) - timedelta(milliseconds=1)
    leido = comprobar(acuñar("a", Secreto(bytes(16)), UUID(str(uuid_utils.uuid7()))), [Secreto(bytes(16))])
    assert isinstance(leido, Legitimo)
    assert antes <= leido.acuñado_en <= datetime.now(UTC)


@given(enlaces, secretos, uuids, st.integers(0, LONGITUD_DE_CLIC - 1), st.characters())
def test_ninguno_cambiado_en_un_caracter_se_da_por_legitimo(
    enlace_id: str, secreto: Secreto, uuid: UUID, donde: int, otro: str
) -> None:
    clic_id = acuñar(enlace_id, secreto, uuid)
    assume(clic_id[donde] != otro)
    cambiado = clic_id[:donde] + otro + clic_id[donde + 1 :]
    assert not isinstance(comprobar(cambiado, [secreto]), Legitimo)


def test_ninguno_de_los_que_difieren_en_un_caracter_del_alfabeto_es_legitimo() -> None:
    secreto = Secreto(b"0123456789abcdef")
    clic_id = acuñar("juan", secreto, UUID(str(uuid_utils.uuid7())))
    for donde in range(LONGITUD_DE_CLIC):
        for otro in set(_ALFABETO) - {clic_id[donde]}:
            cambiado = clic_id[:donde] + otro + clic_id[donde + 1 :]
            assert not isinstance(comprobar(cambiado, [secreto]), Legitimo)


@given(enlaces, enlaces, secretos, uuids)
def test_el_de_un_enlace_no_es_de_otro(uno: str, otro: str, secreto: Secreto, uuid: UUID) -> None:
    assume(uno != otro)
    leido = comprobar(acuñar(uno, secreto, uuid), [secreto])
    assert isinstance(leido, Legitimo)
    assert not leido.es_de(otro)


@given(enlaces, enlaces, secretos, uuids)
def test_el_de_un_enlace_al_que_se_le_pone_la_huella_de_otro_es_falsificado(
    uno: str, otro: str, secreto: Secreto, uuid: UUID
) -> None:
    assume(uno != otro)
    suyo, ajeno = (_octetos(acuñar(enlace_id, secreto, uuid)) for enlace_id in (uno, otro))
    mezclado = base64.urlsafe_b64encode(suyo[:17] + ajeno[17:25] + suyo[25:]).decode().rstrip("=")
    assert comprobar(mezclado, [secreto]) == Falsificado()


@given(enlaces, secretos, secretos, uuids)
def test_el_de_otro_secreto_es_ajeno_y_si_su_numero_coincide_falsificado(
    enlace_id: str, suyo: Secreto, otro: Secreto, uuid: UUID
) -> None:
    assume(suyo != otro)
    clic_id = acuñar(enlace_id, otro, uuid)
    coincide = _octetos(clic_id)[0] == _octetos(acuñar(enlace_id, suyo, uuid))[0]
    assert comprobar(clic_id, [suyo]) == (Falsificado() if coincide else Ajeno())
    assert comprobar(clic_id, []) == Ajeno()


@given(enlaces, st.lists(secretos, min_size=2, max_size=4, unique=True), uuids)
def test_cualquiera_de_los_secretos_comprueba_lo_que_firmo(
    enlace_id: str, todos: list[Secreto], uuid: UUID
) -> None:
    for secreto in todos:
        assert isinstance(comprobar(acuñar(enlace_id, secreto, uuid), todos), Legitimo)


@given(st.one_of(st.text(), st.text(_ALFABETO, min_size=LONGITUD_DE_CLIC, max_size=LONGITUD_DE_CLIC)))
def test_un_texto_cualquiera_no_es_legitimo_y_si_no_tiene_la_forma_es_ajeno(texto: str) -> None:
    leido = comprobar(texto, [Secreto(b"un secreto de prueba")])
    assert not isinstance(leido, Legitimo)
    if len(texto) != LONGITUD_DE_CLIC:
        assert leido == Ajeno()


def test_un_secreto_no_se_ve_al_escribirlo() -> None:
    assert "palabra" not in repr(Secreto(b"palabra palabra palabra"))


def _octetos(clic_id: str) -> bytes:
    return base64.urlsafe_b64decode(clic_id + "=")
