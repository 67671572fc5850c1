import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Principal;
import java.util.Arrays;
import org.apache.hc.client5.http.auth.AuthSchemeFactory;
import org.apache.hc.client5.http.auth.AuthScope;
import org.apache.hc.client5.http.auth.Credentials;
import org.apache.hc.client5.http.auth.NTCredentials;
import org.apache.hc.client5.http.auth.UsernamePasswordCredentials;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.auth.BasicCredentialsProvider;
import org.apache.hc.client5.http.impl.auth.DigestSchemeFactory;
import org.apache.hc.client5.http.impl.auth.KerberosSchemeFactory;
import org.apache.hc.client5.http.impl.auth.NTLMSchemeFactory;
import org.apache.hc.client5.http.impl.auth.SPNegoSchemeFactory;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.config.RegistryBuilder;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.util.Timeout;

/** Apache HttpClient 5: HttpClient5 CLIENT SCHEME BASE USER PASSWORD STEP..., as clients.py has them. */
public class HttpClient5 {
  /** The ticket of the user's cache, which JAAS finds. */
  static final Credentials TICKET =
      new Credentials() {
        @Override
        public Principal getUserPrincipal() {
          return null;
        }

        @Override
        public char[] getPassword() {
          return null;
        }
      };

  static CloseableHttpClient client(String scheme, String user, String password) {
    BasicCredentialsProvider accounts = new BasicCredentialsProvider();
    String name = user.substring(user.indexOf('\\') + 1);
    accounts.setCredentials(
        new AuthScope(null, null, -1, null, "ntlm"), new NTCredentials(name, password.toCharArray(), "WS", "LAB"));
    accounts.setCredentials(
        new AuthScope(null, null, -1, null, "digest"), new UsernamePasswordCredentials(name, password.toCharArray()));
    if (scheme.endsWith("kerberos")) {
      accounts.setCredentials(new AuthScope(null, null, -1, null, "negotiate"), TICKET);
      accounts.setCredentials(new AuthScope(null, null, -1, null, "kerberos"), TICKET);
    }
    RequestConfig config =
        RequestConfig.custom()
            .setTargetPreferredAuthSchemes(Arrays.asList("Negotiate", "Kerberos", "NTLM", "Digest"))
            .setResponseTimeout(Timeout.ofSeconds(15))
            .build();
    return HttpClients.custom()
        .setDefaultCredentialsProvider(accounts)
        .setDefaultRequestConfig(config)
        .setDefaultAuthSchemeRegistry(
            RegistryBuilder.<AuthSchemeFactory>create()
                .register("ntlm", NTLMSchemeFactory.INSTANCE)
                .register("digest", DigestSchemeFactory.INSTANCE)
                .register("negotiate", SPNegoSchemeFactory.DEFAULT)
                .register("kerberos", KerberosSchemeFactory.DEFAULT)
                .build())
        .build();
  }

  public static void main(String[] words) throws Exception {
    CloseableHttpClient client = client(words[1], words[3], words[4]);
    for (int i = 5; i < words.length; i++) {
      String[] step = words[i].split(" ");
      ClassicHttpRequest request = new HttpGet(words[2] + step[1]);
      if (step.length > 2) {
        HttpPost post = new HttpPost(words[2] + step[1]);
        byte[] body = Files.readAllBytes(Path.of(step[2]));
        post.setEntity(new ByteArrayEntity(body, ContentType.APPLICATION_OCTET_STREAM));
        request = post;
      }
      try {
        String line =
            client.execute(
                request,
                answer ->
                    answer.getCode()
                        + " "
                        + (answer.getEntity() == null ? "" : EntityUtils.toString(answer.getEntity())));
        System.out.println(line);
      } catch (Exception error) {
        System.out.println(error);
      }
    }
    System.exit(0);
  }
}
