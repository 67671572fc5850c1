# HTTP clients of Ruby: clients.rb CLIENT SCHEME BASE USER PASSWORD STEP..., as clients.py has them.
require 'uri'

client, _scheme, base, user, password, *steps = ARGV
$stdout.sync = true

def httpclient(base, user, password)
  require 'httpclient'
  session = HTTPClient.new
  session.receive_timeout = 15
  session.set_auth("#{base}/", user, password)
  lambda do |method, url, body|
    fields = body ? { 'Content-Type' => 'application/octet-stream' } : {}
    answer = session.request(method, url, body: body, header: fields, follow_redirect: method == 'GET')
    [answer.status, answer.body]
  end
end

# net-http-digest_auth makes the field; its user asks for the challenge, and sends the request again.
def digest_auth(base, user, password)
  require 'net/http'
  require 'net/http/digest_auth'
  digest = Net::HTTP::DigestAuth.new
  uri = URI.parse(base)
  session = Net::HTTP.start(uri.host, uri.port, read_timeout: 15)
  lambda do |method, url, body|
    target = URI.parse(url)
    target.user = user
    target.password = password
    make = lambda do
      request = Net::HTTP.const_get(method.capitalize).new(target.request_uri)
      if body
        request.body = body
        request['Content-Type'] = 'application/octet-stream'
      end
      request
    end
    answer = session.request(make.call)
    if answer.code == '401'
      request = make.call
      request.add_field('Authorization', digest.auth_header(target, answer['www-authenticate'], method))
      answer = session.request(request)
    end
    [answer.code, answer.body]
  end
end

send = client == 'httpclient' ? httpclient(base, user, password) : digest_auth(base, user, password)
steps.each do |step|
  method, path, file = step.split(' ')
  begin
    status, body = send.call(method, base + path, file && File.binread(file))
    puts "#{status} #{body}"
  rescue StandardError => e
    puts "#{e.class} #{e.message}"
  end
end
