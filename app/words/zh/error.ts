import type { Translation } from '../catalogue.ts'
import type { words as english } from '../en/error.ts'

export const words = {
  'webgpu-unavailable.title': '够不着显卡',
  'webgpu-unavailable.advice':
    '你的聊天都在。到后台的“由谁来算”里选“快的那个”或“处理器”；或者重新载入页面，还不行就重新启动浏览器。',
  'device-lost.title': '显卡被拿走了',
  'device-lost.advice': '说到这里的话都留着。再问一次，或者重新载入页面。',
  'out-of-memory.title': '内存不够了',
  'out-of-memory.advice':
    '你的聊天都在。关掉别的标签页和正在用显卡的游戏，再试一次；或者在后台换一个小些的模型。',
  'shader-invalid.title': '这个浏览器不收我们写给显卡的程序',
  'shader-invalid.advice': '你的聊天都在。更新浏览器；如果没用，就把详情复制下来发给我们。',
  'shape-mismatch.title': '有一处计算对不上',
  'shape-mismatch.advice': '这是我们的错。你的聊天都在。把详情复制下来发给我们。',
  'format-invalid.title': '这个文件不是它自称的样子',
  'format-invalid.advice': '里面的东西都没有用上。换一份拷贝试试。',
  'format-unsupported.title': '这里不读这一类文件',
  'format-unsupported.advice': '里面的东西都没有用上。',
  'model-incompatible.title': '这些角色和这个模型合不来',
  'model-incompatible.advice': '什么都没有变。这些角色是在另一个模型上排练的。',
  'template-refused.title': '这个模型不收这种样子的聊天',
  'template-refused.advice':
    '你的聊天还在。谁先谁后，模型有它自己的规矩；开一段新聊天，或者在后台换一个模型。',
  'not-a-number.title': '模型算出来的不是数',
  'not-a-number.advice':
    '说到这里的话都留着。到后台的“由谁来算”里选“处理器”；如果没用，就是模型的文件坏了，或者转换得不好：换一个吧。',
  'wrong-answers.title': '显卡算错了',
  'wrong-answers.advice':
    '更新驱动和浏览器，再重新载入页面；在那之前，到后台的“由谁来算”里选“处理器”。诊断信息里写着是哪张卡，发给我们吧。',
  'download-failed.title': '下载停了',
  'download-failed.advice':
    '到了的部分都留着，会从那里接着下。看看网络，再试一次；网络回来时，它自己也会再试。',
  'download-mismatch.title': '服务器送来的不是该送的文件',
  'download-mismatch.advice':
    '那个文件完全没有用上。重新载入页面：网站可能更新过了。如果还是这样，就是网站的文件坏了；把详情复制下来，发给办网站的人。',
  'download-refused.title': '服务器不给这个文件',
  'download-refused.advice': '什么都没有变。详情里说了为什么，以及该怎么办。',
  'training-diverged.title': '排练走偏了',
  'training-diverged.advice': '最后一个好的状态留着。把学习率调小，重新开始。',
  'storage-full.title': '没有地方存这个了',
  'storage-full.advice': '屏幕上的东西还在。把聊天存成文件，再给浏览器腾些地方。',
  'storage-corrupt.title': '浏览器不让这个页面存任何东西',
  'storage-corrupt.advice': '聊天只留到页面关上为止。想要的，就存成文件。',
  'usage.title': '这里做不了这件事',
  'usage.advice': '什么都没有变。',
  'cancelled.title': '停下了',
  'cancelled.advice': '说到这里的话都留着。',
} as const satisfies Translation<typeof english>
