import java.io.InputStream;
import java.io.OutputStream;
import java.net.Authenticator;
import java.net.HttpURLConnection;
import java.net.PasswordAuthentication;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** The clients of the JDK: Jdk CLIENT SCHEME BASE USER PASSWORD STEP..., as clients.py has them. */
public class Jdk {
  static String byUrlConnection(String method, String url, byte[] body) throws Exception {
    HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
    connection.setRequestMethod(method);
    connection.setReadTimeout(15_000);
    if (body != null) {
      connection.setDoOutput(true);
      connection.setRequestProperty("Content-Type", "application/octet-stream");
      try (OutputStream out = connection.getOutputStream()) {
        out.write(body);
      }
    }
    int status = connection.getResponseCode();
    InputStream in = status < 400 ? connection.getInputStream() : connection.getErrorStream();
    return status + " " + (in == null ? "" : new String(in.readAllBytes()));
  }

  static String byHttpClient(HttpClient client, String method, String url, byte[] body) throws Exception {
    HttpRequest.BodyPublisher publisher =
        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofByteArray(body);
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(15)).method(method, publisher).build();
    HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
    return answer.statusCode() + " " + answer.body();
  }

  public static void main(String[] words) throws Exception {
    Authenticator account =
        new Authenticator() {
          @Override
          protected PasswordAuthentication getPasswordAuthentication() {
            return new PasswordAuthentication(words[3], words[4].toCharArray());
          }
        };
    // With one, Kerberos would want a password instead of the ticket that is there.
    if (!words[1].endsWith("kerberos")) Authenticator.setDefault(account);
    HttpClient client =
        HttpClient.newBuilder()
            .authenticator(account)
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .build();
    for (int i = 5; i < words.length; i++) {
      String[] step = words[i].split(" ");
      byte[] body = step.length > 2 ? Files.readAllBytes(Path.of(step[2])) : null;
      try {
        System.out.println(
            words[0].equals("HttpClient")
                ? byHttpClient(client, step[0], words[2] + step[1], body)
                : byUrlConnection(step[0], words[2] + step[1], body));
      } catch (Exception error) {
        System.out.println(error);
      }
    }
    System.exit(0);
  }
}
