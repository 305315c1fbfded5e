package com.alpespartners.ejemplos;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.HashSet;
import org.apache.pulsar.client.api.PulsarClientException;
import org.apache.pulsar.client.api.Schema;
import org.apache.pulsar.client.api.SubscriptionInitialPosition;
import org.apache.pulsar.client.api.SubscriptionType;
import org.apache.pulsar.client.api.schema.Field;
import org.apache.pulsar.client.api.schema.GenericRecord;

/** Lee los dos tópicos de eventos con los esquemas del registro y escribe cada evento una sola vez. */
public final class LeerEventos {

    private static final int DECIMALES = 4; // los de decimal(18,4), que es el tipo de `valor`

    private LeerEventos() {
    }

    public static void main(String[] argumentos) throws PulsarClientException {
        // En un servicio de verdad, una columna única en la misma transacción que lo que el evento provoque.
        var vistos = new HashSet<String>();
        try (var cliente = Broker.conectar();
                var consumidor = cliente.newConsumer(Schema.AUTO_CONSUME())
                        .topic(Broker.topico("evento-impresion-registrada"), Broker.topico("evento-conversion-registrada"))
                        .subscriptionName("ejemplo-java")
                        .subscriptionType(SubscriptionType.Shared)
                        .subscriptionInitialPosition(SubscriptionInitialPosition.Earliest)
                        .subscribe()) {
            while (true) {
                var mensaje = consumidor.receive();
                if (vistos.add(mensaje.getProperty("ce_id"))) {
                    System.out.println(mensaje.getProperty("ce_type") + texto(mensaje.getValue()));
                }
                consumidor.acknowledge(mensaje);
            }
        }
    }

    private static String texto(GenericRecord evento) {
        var texto = new StringBuilder();
        for (Field campo : evento.getFields()) {
            var valor = evento.getField(campo);
            if (valor instanceof ByteBuffer octetos) {
                valor = importe(octetos);
            }
            texto.append(' ').append(campo.getName()).append('=').append(valor);
        }
        return texto.toString();
    }

    private static BigDecimal importe(ByteBuffer octetos) {
        var copia = new byte[octetos.remaining()];
        octetos.duplicate().get(copia);
        return new BigDecimal(new BigInteger(copia), DECIMALES);
    }
}
