#![allow(missing_docs, clippy::all)]
use minijinja::*;
fn main(){
  let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
  let kb: usize = std::env::args().nth(2).unwrap().parse().unwrap();
  let t = std::thread::Builder::new().stack_size(kb*1024).spawn(move || {
    let mut env = Environment::new();
    env.set_fuel(Some(100_000_000));
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    println!("{:?}", env.render_str("{% set ns = namespace(x=[]) %}{% for i in range(n) %}{% set ns.x = [ns.x] %}{% endfor %}done", context!(n=>n)));
    println!("{:?}", env.render_str("{% set a=1 %}{% for i in [1,2,3] %}{{a}}{% set a=[a] %}{% endfor %}", context!(n=>n)));
    println!("{:?}", env.render_str("{{ 'yes' if n > 50000000 }}|{{ d.items }}|{{ d.nokey }}", context!(n=>n, d=>context!(items=>1))));
    println!("{:?}", env.render_str("{{ 5 // 0 }}", context!(n=>n)));
    println!("{:?}", env.render_str("{{ a +/ 0 }}", context!(n=>n)).map_err(|e|(e.range(), e.detail().map(|s|s.to_string()))));
    println!("{:?}", env.render_str("{% foobar %}", context!(n=>n)).map_err(|e|(e.range(), e.detail().map(|s|s.to_string()))));
    println!("{:?}", env.render_str("{{ [1,2 }}", context!(n=>n)).map_err(|e|(e.range(), e.detail().map(|s|s.to_string()))));
    println!("{:?}", env.render_str("{{ x.y.z }}", context!(x=>context!(a=>1))).map_err(|e|(e.range(), e.detail().map(|s|s.to_string()))));
    println!("{:?}", env.render_str("{{ 'a'|upper|foo }}", context!(x=>context!(a=>1))).map_err(|e|(e.range(), e.detail().map(|s|s.to_string()))));
    println!("{:?}", env.render_str("{{ x|int + 'a' }}", context!(x=>"q")).map_err(|e|(e.range(), e.detail().map(|s|s.to_string()))));
  }).unwrap();
  t.join().unwrap();
}
