"""Lo que prometen `compose.yaml` y el `Dockerfile`, mirado sin Docker; levantarlos es otra prueba."""

import re
from dataclasses import fields
from typing import Any

import pytest
import yaml

from alpespartners.config import Configuracion
from tests.apoyo.repositorio import RAIZ

_COMPOSE: dict[str, Any] = yaml.safe_load((RAIZ / "compose.yaml").read_text(encoding="utf-8"))
_SERVICIOS: dict[str, dict[str, Any]] = _COMPOSE["services"]
_DOCKERFILE = (RAIZ / "Dockerfile").read_text(encoding="utf-8")
_DURADEROS = sorted(_SERVICIOS.keys() - {"migracion"})
_PROPIOS = ("migracion", "api", "consumidores")


def test_solo_la_api_se_publica_y_solo_en_esta_maquina() -> None:
    publicados = {nombre: servicio.get("ports", []) for nombre, servicio in _SERVICIOS.items()}
    assert publicados.pop("api") == ["127.0.0.1:${ALPES_PUERTO:-8000}:8000"]
    assert not any(publicados.values())
    assert _COMPOSE["networks"]["interna"]["internal"] is True
    assert all(
        servicio["networks"] == ["interna"] for nombre, servicio in _SERVICIOS.items() if nombre != "api"
    )


def test_toda_imagen_ajena_lleva_una_version_exacta() -> None:
    ajenas = [_SERVICIOS[nombre]["image"] for nombre in ("pulsar", "postgres")]
    ajenas += re.findall(r"^FROM (\S+)", _DOCKERFILE, re.MULTILINE)
    assert [
        imagen for imagen in ajenas if not re.fullmatch(r"[\w/]+:\d+\.\d+(\.\d+)?(-[\w-]+)?", imagen)
    ] == []


def test_las_tres_partes_propias_salen_de_la_misma_imagen() -> None:
    assert {(_SERVICIOS[nombre]["build"], _SERVICIOS[nombre]["image"]) for nombre in _PROPIOS} == {
        (".", "alpespartners")
    }


@pytest.mark.parametrize("nombre", _DURADEROS)
def test_cada_servicio_dice_si_esta_sano_y_vuelve_si_muere(nombre: str) -> None:
    servicio = _SERVICIOS[nombre]
    assert servicio["healthcheck"].keys() >= {"test", "interval", "timeout", "retries", "start_period"}
    assert servicio["restart"] == "unless-stopped"


@pytest.mark.parametrize("nombre", _SERVICIOS)
def test_cada_servicio_corre_con_lo_justo(nombre: str) -> None:
    servicio = _SERVICIOS[nombre]
    assert servicio["init"] is True
    assert servicio["cap_drop"] == ["ALL"]
    assert servicio["security_opt"] == ["no-new-privileges:true"]
    assert servicio["logging"]["options"].keys() == {"max-size", "max-file"}
    assert {"mem_limit", "stop_grace_period"} <= servicio.keys()
    assert "privileged" not in servicio
    # Con un nombre fijo no se podría tener más de uno.
    assert "container_name" not in servicio


def test_nada_propio_corre_como_administrador_ni_escribe_fuera_de_sus_datos() -> None:
    usuarios = re.findall(r"^USER (\S+)", _DOCKERFILE, re.MULTILINE)
    assert [int(usuario) > 0 for usuario in usuarios] == [True]
    assert all(_SERVICIOS[nombre]["read_only"] is True for nombre in _PROPIOS)
    assert not any("user" in _SERVICIOS[nombre] for nombre in _PROPIOS)
    assert _SERVICIOS["postgres"]["user"] == "postgres"


def test_los_datos_viven_en_volumenes_con_nombre() -> None:
    montados = [volumen for servicio in _SERVICIOS.values() for volumen in servicio.get("volumes", [])]
    assert sorted(montados) == [
        "api:/datos",
        "consumidores:/datos",
        "postgres:/var/lib/postgresql/data",
        "pulsar:/pulsar/data",
    ]
    assert {volumen.partition(":")[0] for volumen in montados} == _COMPOSE["volumes"].keys()


def test_los_consumidores_y_lo_que_se_ordena_en_disco_escriben_en_su_volumen() -> None:
    # Con el sistema de archivos de solo lectura, SQLite no tendría dónde poner un archivo temporal.
    assert re.findall(r"(?:ALPES_DATOS|SQLITE_TMPDIR)=(\S+)", _DOCKERFILE) == ["/datos", "/datos"]
    assert _SERVICIOS["consumidores"]["volumes"] == ["consumidores:/datos"]


def test_la_api_guarda_en_su_volumen_los_clics_que_esperan() -> None:
    assert _SERVICIOS["api"]["volumes"] == ["api:/datos"]


def test_nadie_empieza_antes_que_aquello_de_lo_que_depende() -> None:
    sana, completa = {"condition": "service_healthy"}, {"condition": "service_completed_successfully"}
    assert _SERVICIOS["migracion"]["depends_on"] == {"postgres": sana}
    for nombre in ("api", "consumidores"):
        assert _SERVICIOS[nombre]["depends_on"] == {"migracion": completa, "pulsar": sana}


def test_pulsar_lo_conserva_todo_y_se_llama_siempre_igual() -> None:
    ambiente = _SERVICIOS["pulsar"]["environment"]
    assert ambiente["PULSAR_PREFIX_defaultRetentionTimeInMinutes"] == "-1"
    assert ambiente["PULSAR_PREFIX_defaultRetentionSizeInMB"] == "-1"
    assert ambiente["PULSAR_PREFIX_advertisedAddress"] == _SERVICIOS["pulsar"]["hostname"]


@pytest.mark.parametrize("nombre", _PROPIOS)
def test_cada_variable_nuestra_es_un_ajuste_que_existe_y_vale(
    nombre: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ajustes = {f"ALPES_{campo.name.upper()}" for campo in fields(Configuracion)}
    puestas = {
        variable: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", valor)
        for variable, valor in _SERVICIOS[nombre]["environment"].items()
        if variable.startswith("ALPES_")
    }
    assert puestas.keys() <= ajustes
    for variable, valor in puestas.items():
        monkeypatch.setenv(variable, valor)
    Configuracion()


def test_ninguna_clave_esta_escrita_salvo_la_que_el_ambiente_sustituye() -> None:
    secretas = {
        (nombre, variable): str(valor)
        for nombre, servicio in _SERVICIOS.items()
        for variable, valor in servicio.get("environment", {}).items()
        if re.search(r"PASSWORD|TOKEN|CLAVE(?!$)|SECRET", variable) and variable != "ALPES_SIN_CLAVE"
    }
    assert secretas != {}
    assert all(re.fullmatch(r"\$\{\w+:-\w*\}", valor) for valor in secretas.values())
    assert not re.search(r"://[^@\s/]*:[^@\s/]*@", (RAIZ / "compose.yaml").read_text(encoding="utf-8"))


def test_la_imagen_instala_lo_bloqueado_y_solo_recibe_lo_que_copia() -> None:
    assert "RUN python bin/entorno.py /alpes servicio" in _DOCKERFILE
    admitidos = re.findall(r"^!(\S+)", (RAIZ / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    copiados = re.findall(r"^COPY (?!--from)(\S+)", _DOCKERFILE, re.MULTILINE)
    assert sorted(admitidos) == sorted(copiados)
