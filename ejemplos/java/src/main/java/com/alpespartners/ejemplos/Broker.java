package com.alpespartners.ejemplos;

import java.util.concurrent.TimeUnit;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.PulsarClientException;

/** Dónde está Pulsar: las mismas variables de ambiente que usa el servicio. */
final class Broker {

    private static final int LIMITE = 10; // segundos; lo normal del cliente son 30 sin decir nada

    private Broker() {
    }

    static PulsarClient conectar() throws PulsarClientException {
        var url = variable("ALPES_PULSAR_URL", "pulsar://localhost:6650");
        System.err.println("Broker: " + url + " (lo dice ALPES_PULSAR_URL; el servicio anuncia el suyo al arrancar)");
        return PulsarClient.builder()
                .serviceUrl(url)
                .operationTimeout(LIMITE, TimeUnit.SECONDS)
                .build();
    }

    static String topico(String nombre) {
        return "persistent://" + variable("ALPES_PULSAR_ESPACIO", "public/default") + "/" + nombre;
    }

    private static String variable(String nombre, String omision) {
        return System.getenv().getOrDefault(nombre, omision);
    }
}
